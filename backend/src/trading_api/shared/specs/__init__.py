"""OpenAPI and AsyncAPI documents: of one version of a module, and of all modules of a deployment merged."""
