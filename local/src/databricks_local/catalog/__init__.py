"""What a warehouse remembers between processes: objects, definitions, governance, refreshes."""
