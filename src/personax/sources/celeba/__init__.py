"""People from CelebA: its label files, one row an identity; nothing of CelebA is part of personax."""
