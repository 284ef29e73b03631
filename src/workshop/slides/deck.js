// Keys go through the slides; what is too large for its slide is set smaller until it fits.
const slides = [...document.querySelectorAll("section")];
let at = 0;

function fit(box) {
  const fits = () => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1;
  const largest = Object.entries({text: 34, code: 24, html: 20}).find(([kind]) => box.classList.contains(kind))[1];
  for (let size = largest; size >= 9; size -= 0.5) {
    box.style.fontSize = `${size}px`;
    if (fits()) return;
  }
}

function scale() {
  const high = document.body.classList.contains("notes") ? 1080 : 720;
  const by = Math.min(innerWidth / 1280, innerHeight / high);
  const [x, y] = [(innerWidth - 1280 * by) / 2, (innerHeight - high * by) / 2];
  document.querySelector("main").style.transform = `translate(${x}px, ${y}px) scale(${by})`;
}

function show(number) {
  at = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, n) => slide.classList.toggle("shown", n === at));
  history.replaceState(null, "", `#${at + 1}`);
}

const keys = {
  ArrowRight: () => show(at + 1), PageDown: () => show(at + 1), " ": () => show(at + 1),
  ArrowLeft: () => show(at - 1), PageUp: () => show(at - 1),
  Home: () => show(0), End: () => show(slides.length - 1),
  n: () => { document.body.classList.toggle("notes"); scale(); },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
};
addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[key]) return;
  if (key === " " && event.target.tagName === "BUTTON") return;
  event.preventDefault();
  keys[key]();
});
document.getElementById("on").onclick = keys.ArrowRight;
document.getElementById("back").onclick = keys.ArrowLeft;
addEventListener("resize", scale);
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));
document.querySelectorAll(".fit").forEach(fit);
scale();
show((Number(location.hash.slice(1)) || 1) - 1);
