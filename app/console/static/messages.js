// Loads the page again when a file of the messages has changed, and makes each frame as tall as the e-mail in it.
"use strict";

const EVERY = 700; // milliseconds

const page = document.querySelector("[data-fingerprint]");
const state = document.getElementById("watching");

function say(text, isWell) {
  state.textContent = text;
  state.classList.toggle("lost", !isWell);
}

async function look() {
  try {
    const answer = await fetch(page.dataset.watch, { cache: "no-store" });
    const now = answer.ok ? await answer.text() : "";
    if (now && now !== page.dataset.fingerprint) {
      location.reload();
      return;
    }
    say(now ? "Follows your files" : "Cannot follow your files", Boolean(now));
  } catch {
    say("The server does not answer", false);
  }
  setTimeout(look, EVERY);
}

function fit(frame) {
  const inside = frame.contentDocument;
  if (!inside || !inside.body || inside.URL === "about:blank") return;
  frame.style.height = "0";
  const height = inside.documentElement.scrollHeight;
  frame.style.height = `${Math.max(height, 120)}px`;
}

const frames = [...document.querySelectorAll("iframe[data-fit]")];

function fitAll() {
  frames.forEach(fit);
}

frames.forEach((frame) => frame.addEventListener("load", () => fit(frame)));
addEventListener("resize", fitAll);
fitAll();
if (page && state) look();
