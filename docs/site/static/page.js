// What is wider than the window scrolls by itself; then the keyboard must reach it, too. And the
// theme's headings and side bars get the level and the names that a screen reader asks for.
document.addEventListener("DOMContentLoaded", () => {
  for (const wide of document.querySelectorAll("pre, .output.text_html, .table-wrapper")) {
    if (wide.scrollWidth > wide.clientWidth + 1) wide.tabIndex = 0;
  }
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = 2;
  for (const [part, name] of [[".sidebar-drawer", "all pages"], [".toc-drawer", "this page"]]) {
    document.querySelector(part)?.setAttribute("aria-label", name);
  }
});
