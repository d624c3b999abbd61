"""Terms are shown here: as text, Markdown and HTML, as pages and exports."""
