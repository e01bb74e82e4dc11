"""Load tests as cells, figures and pages; a small candidate beside a large one."""
