"""The formats, one module each; `tinyml.export.format.formats` finds them."""
