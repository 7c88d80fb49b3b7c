"""Any other DNS: a person types the records, and the name servers are asked whether they stand."""
