"""From a page's bytes to the fields of an article, in killable workers."""
