"""What File > Export in JupyterLab gives: images with their alternative texts, and only formats that work here."""

import pathlib

c = get_config()  # noqa: F821
templates = [str(pathlib.Path(__file__).resolve().parent.parent / "templates")]
c.TemplateExporter.extra_template_basedirs = c.TemplateExporter.extra_template_paths = templates
c.HTMLExporter.template_name = c.MarkdownExporter.template_name = "lepton"
c.SlidesExporter.template_name = "lepton_slides"
# These need pandoc, LaTeX or a second browser, and end in an error page without them; `make pdf` writes a PDF.
for name in (
    "ASCIIDocExporter",
    "LatexExporter",
    "PDFExporter",
    "QtPDFExporter",
    "QtPNGExporter",
    "RSTExporter",
    "WebPDFExporter",
):
    c[name].enabled = False
