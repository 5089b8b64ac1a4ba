"""Reports that people read: blocks of words, tables and charts, and the forms that they are given in."""
