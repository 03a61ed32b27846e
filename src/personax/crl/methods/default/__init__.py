"""Our own method in stages: components that touch other modalities, then what only measurements tell, then a graph."""
