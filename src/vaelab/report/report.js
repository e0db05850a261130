"use strict";
const dialog = document.querySelector("dialog");
const large = dialog.querySelector("img");
for (const image of document.querySelectorAll("main img")) {
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  const show = () => {
    const factor = Math.min((0.92 * innerWidth) / image.naturalWidth, (0.88 * innerHeight) / image.naturalHeight);
    const scale = factor >= 1 ? Math.floor(factor) : factor;
    large.src = image.src;
    large.alt = image.alt;
    large.width = image.naturalWidth * scale;
    large.height = image.naturalHeight * scale;
    dialog.showModal();
  };
  image.addEventListener("click", show);
  image.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show();
    }
  });
}
dialog.addEventListener("click", () => dialog.close());
