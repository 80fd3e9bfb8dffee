"""Who may receive an e-mail edition: readers from a CSV file (`csv`), and their unsubscribe links (`tokens`)."""
