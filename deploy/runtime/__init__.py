"""What touches the machine: processes, ports, log files, the nginx binary. Nothing here is imported to make a plan."""
