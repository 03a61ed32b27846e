"""From public people to causal structure."""
