"""The stored mail of an account, as a thing that a stage desires: one kind a file."""
