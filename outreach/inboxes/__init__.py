"""The mailboxes that can be read, one file each: `imap` asks a server, `maildir` looks into a folder."""
