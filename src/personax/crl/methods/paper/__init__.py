"""The paper's method: reconstruction, independence of the noise and sparsity of the graph in one objective."""
