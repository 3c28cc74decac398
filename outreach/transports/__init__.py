"""The ways out, one file each: `smtp` hands messages to a server, `directory` writes each one as a file."""
