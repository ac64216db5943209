"""Who may call: with a key file, only requests that one of its keys has signed are served."""
