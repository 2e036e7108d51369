/** Makes a PNG of an X server's frame buffer, as Xvfb keeps it in a file (`-fbdir`): the format of xwd, XWDFile.h of the X protocol. */
import { deflateSync } from "node:zlib";

export interface Picture {
  readonly png: Buffer;
  /** Nothing can be seen on it. */
  readonly plain: boolean;
}

/** Places of the header's numbers, 4 bytes each, most significant first. */
const AT = { header: 0, width: 16, height: 20, order: 28, bits: 44, line: 48, colors: 76 } as const;
const COLOR_BYTES = 12;

/** @throws Error for a form that Xvfb does not make with 24 bits a pixel */
export function pictureOf(xwd: Buffer): Picture {
  const number = (name: keyof typeof AT): number => xwd.readUInt32BE(AT[name]);
  const [width, height, line] = [number("width"), number("height"), number("line")];
  if (number("bits") !== 32) throw new Error(`${number("bits")} bits a pixel`);
  const from = number("header") + number("colors") * COLOR_BYTES;
  // Blue, green, red, nothing; the other way round where the most significant byte comes first.
  const [red, green, blue] = number("order") === 0 ? [2, 1, 0] : [1, 2, 3];
  const rows = Buffer.alloc(height * (width * 3 + 1));
  let at = 0;
  let plain = true;
  for (let y = 0; y < height; y++) {
    // No filter.
    rows[at++] = 0;
    for (let x = 0; x < width; x++) {
      const pixel = from + y * line + x * 4;
      for (const part of [red, green, blue]) {
        const value = xwd[pixel + part] ?? 0;
        plain &&= value === (xwd[from + part] ?? 0);
        rows[at++] = value;
      }
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits each of red, green and blue.
  head.set([8, 2, 0, 0, 0], 8);
  const chunks = [chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return { png: Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), ...chunks]), plain };
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(data.length, 0);
  around.writeUInt32BE(crc(body), 4);
  return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)]);
}

/** CRC-32 of PNG's appendix; Node has one of its own only from 20.15 on. */
function crc(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
