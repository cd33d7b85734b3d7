"""Turns one YAML file into a running process tree: schema, loader, plan, renderers, runtime, command line.

Data flows one way: `cli` -> `runtime` -> `renderers` -> `artifact` -> `plan` -> `loader` -> `schema`.
"""
