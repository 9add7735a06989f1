/** As much of SVG as the plots need: axes, lines, points, bars. Pure: numbers in, text out. */

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly isLog?: boolean;
  readonly ticks: readonly number[];
}

/** Where a plot stands in the picture, px. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

const FONT = 'font-family="sans-serif" font-size="12"';
const GRID = '#dddddd';
const INK = '#222222';

/** On white whatever the page behind has, so that it can be read in the dark too. */
export function picture(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${FONT}>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export function text(
  x: number,
  y: number,
  words: string,
  more: { anchor?: 'start' | 'middle' | 'end'; weight?: 'bold'; colour?: string } = {},
): string {
  const { anchor = 'start', weight, colour = INK } = more;
  const bold = weight === undefined ? '' : ' font-weight="bold"';
  const at = `x="${px(x)}" y="${px(y)}" text-anchor="${anchor}"`;
  return `<text ${at}${bold} fill="${colour}">${escaped(words)}</text>`;
}

/** Grid, numbers and labels. */
export function axes(box: Box, x: Axis, y: Axis): string[] {
  const bottom = box.top + box.height;
  const right = box.left + box.width;
  const parts: string[] = [];
  for (const tick of x.ticks) {
    const at = place(box, x, 'x', tick);
    parts.push(segment([at, box.top], [at, bottom], GRID));
    parts.push(text(at, bottom + 16, String(tick), { anchor: 'middle' }));
  }
  for (const tick of y.ticks) {
    const at = place(box, y, 'y', tick);
    parts.push(segment([box.left, at], [right, at], GRID));
    parts.push(text(box.left - 6, at + 4, String(tick), { anchor: 'end' }));
  }
  parts.push(text(box.left + box.width / 2, bottom + 34, x.label, { anchor: 'middle' }));
  parts.push(text(box.left, box.top - 8, y.label));
  return parts;
}

/** Through all points that have a finite place; beyond the axis they are drawn at its end. */
export function line(
  box: Box,
  x: Axis,
  y: Axis,
  points: readonly Point[],
  colour: string,
  width: number,
): string {
  const at = points.map((point) => placed(box, x, y, point).map(px).join(','));
  return `<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
}

export function dots(
  box: Box,
  x: Axis,
  y: Axis,
  points: readonly Point[],
  colour: string,
  radius: number,
): string {
  const circles = points.map((point) => {
    const [cx = 0, cy = 0] = placed(box, x, y, point);
    return `<circle cx="${px(cx)}" cy="${px(cy)}" r="${radius}"/>`;
  });
  return `<g fill="${colour}">${circles.join('')}</g>`;
}

export function bar(left: number, top: number, width: number, height: number, colour: string) {
  const size = `width="${px(width)}" height="${px(height)}"`;
  return `<rect x="${px(left)}" y="${px(top)}" ${size} fill="${colour}"/>`;
}

/** A stretch of the x axis, in another colour from top to bottom. */
export function band(box: Box, x: Axis, from: number, to: number, colour: string): string {
  const left = place(box, x, 'x', from);
  const width = Math.max(1, place(box, x, 'x', to) - left);
  return bar(left, box.top, width, box.height, colour);
}

function placed(box: Box, x: Axis, y: Axis, [atX, atY]: Point): number[] {
  return [place(box, x, 'x', atX), place(box, y, 'y', atY)];
}

function place(box: Box, axis: Axis, way: 'x' | 'y', value: number): number {
  const kept = Math.min(axis.max, Math.max(axis.min, value));
  const scale = (v: number) => (axis.isLog ? Math.log10(v) : v);
  const share = (scale(kept) - scale(axis.min)) / (scale(axis.max) - scale(axis.min));
  return way === 'x' ? box.left + share * box.width : box.top + (1 - share) * box.height;
}

function segment([x1, y1]: Point, [x2, y2]: Point, colour: string): string {
  const ends = `x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"`;
  return `<line ${ends} stroke="${colour}"/>`;
}

function px(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
