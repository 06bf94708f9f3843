"""From files to programs: packages, weight files, protobuf."""
