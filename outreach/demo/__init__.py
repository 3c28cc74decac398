"""The whole job on invented startups, with a mail server and a mailbox of its own on this machine."""
