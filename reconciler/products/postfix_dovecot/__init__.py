"""Postfix and Dovecot by their own files, on this machine or over SSH."""
