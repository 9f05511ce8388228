"""Shows what was computed: tables, figures. Reads tidy tables and computes nothing."""
