/** Records what a page shows as a video. The browser itself makes it, so that no further program has to be installed. */
/// <reference lib="dom" />
import { writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import type { Stage } from "../../stage.ts";
import { soon } from "./chrome.ts";

const STOP_MS = 8000;

/** The recorder, in a page of its own: paints each picture on a canvas, and encodes that. */
interface Recorder {
  paint(jpeg: string): Promise<void>;
  stop(): Promise<string>;
}

/** Begins to record; what comes back ends it and writes the file. */
export async function record(
  stage: Stage,
  browser: Browser,
  page: Page,
  size: { readonly width: number; readonly height: number },
): Promise<() => Promise<void>> {
  const studio = await (await browser.newContext()).newPage();
  await studio.evaluate(({ width, height }) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    document.body.append(canvas);
    const pen = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start(500);
    const made: Recorder = {
      async paint(jpeg) {
        const picture = new Image();
        picture.src = `data:image/jpeg;base64,${jpeg}`;
        await picture.decode();
        pen?.drawImage(picture, 0, 0, width, height);
      },
      async stop() {
        await new Promise((settle) => {
          recorder.onstop = settle;
          recorder.stop();
        });
        const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
        let text = "";
        for (let at = 0; at < bytes.length; at += 8192)
          text += String.fromCharCode(...bytes.subarray(at, at + 8192));
        return btoa(text);
      },
    };
    Object.assign(window, { made });
  }, size);
  let last = Promise.resolve();
  const paint = (data: Buffer): void => {
    const jpeg = data.toString("base64");
    last = last.then(() =>
      studio
        .evaluate((one) => (window as unknown as { made: Recorder }).made.paint(one), jpeg)
        .catch(() => {}),
    );
  };
  await page.screencast.start({ size, onFrame: ({ data }) => paint(data) });
  return async () => {
    await soon(page.screencast.stop().catch(() => {}));
    const text = await soon(
      last.then(() => studio.evaluate(() => (window as unknown as { made: Recorder }).made.stop())),
      STOP_MS,
    );
    if (text === null) stage.log("the video could not be finished");
    else writeFileSync(stage.capture("browser.webm"), Buffer.from(text, "base64"));
  };
}
