/** Lays a dossier out as PDF with pdfmake, and posts the bytes. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import pdfmake from 'pdfmake';
import type { Content, TableCell, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import type { Block, Cell, Dossier, Tone } from './document.ts';

const require = createRequire(import.meta.url);
const fonts = require('pdfmake/fonts/Roboto.js') as Record<string, Record<string, string>>;
const fontFolder = dirname(require.resolve('pdfmake/fonts/Roboto/Roboto-Regular.ttf'));

const INK = '#16182b';
const SOFT = '#5d6178';
const LINE = '#d9dbe8';
const BRAND = '#4f46e5';
const TONES: Record<Tone, { ink: string; fill: string }> = {
  good: { ink: '#0a7d4f', fill: '#e2f6ec' },
  warn: { ink: '#8a5a00', fill: '#fdf3dc' },
  bad: { ink: '#b3261e', fill: '#fdeceb' },
};
/** Between the margins of A4, in points. */
const WIDTH = 595.28 - 2 * 54;

// Long words (addresses, names of endpoints) may break after a slash, an underscore or an equals sign.
const breakable = (text: string): string => text.replace(/([/_=&?.,])(?=\S)/g, '$1\u200b');

const cell = ({ text, tone, strong, number }: Cell): TableCell => ({
  text: breakable(text),
  ...(tone === undefined ? {} : { color: TONES[tone].ink, bold: true }),
  ...(strong === true ? { bold: true } : {}),
  ...(number === true ? { alignment: 'right' as const } : {}),
});

const RULES = {
  hLineWidth: (line: number, node: { table: { body: unknown[] } }) =>
    line === 0 || line === node.table.body.length ? 0 : 0.5,
  vLineWidth: () => 0,
  hLineColor: () => LINE,
  paddingLeft: () => 4,
  paddingRight: () => 4,
  paddingTop: () => 4,
  paddingBottom: () => 4,
};

function block(one: Block): Content {
  switch (one.kind) {
    case 'text':
      return { text: one.text, margin: [0, 0, 0, 8] };
    case 'list':
      return one.ordered === true ? { ol: one.items, margin: [0, 0, 0, 8] } : { ul: one.items, margin: [0, 0, 0, 8] };
    case 'figure':
      return [
        { svg: one.svg, width: WIDTH, margin: [0, 6, 0, 4] },
        { text: one.caption, color: SOFT, fontSize: 8.5, alignment: 'center', margin: [0, 0, 0, 10] },
      ];
    case 'pairs':
      return {
        margin: [0, 0, 0, 10],
        layout: RULES,
        table: {
          widths: [WIDTH * 0.27, '*'],
          dontBreakRows: true,
          body: one.rows.map(([name, text]) => [{ text: name, bold: true }, { text: breakable(text) }]),
        },
      };
    case 'notice':
      return {
        margin: [0, 4, 0, 10],
        layout: 'noBorders',
        table: {
          widths: ['*'],
          body: [
            [
              {
                fillColor: TONES[one.tone].fill,
                color: TONES[one.tone].ink,
                margin: [8, 6, 8, 6],
                stack: [{ text: one.title, bold: true, margin: [0, 0, 0, 3] }, { ul: one.items.map(breakable) }],
              },
            ],
          ],
        },
      };
    case 'table': {
      const whole = one.widths.reduce((sum, width) => sum + width, 0);
      return {
        margin: [0, 0, 0, 12],
        fontSize: 8.5,
        layout: RULES,
        table: {
          headerRows: 1,
          dontBreakRows: true,
          keepWithHeaderRows: 1,
          widths: one.widths.map((width) => (WIDTH * width) / whole - 8),
          body: [
            one.head.map((name, column) => ({
              text: name,
              bold: true,
              color: SOFT,
              ...(one.rows[0]?.[column]?.number === true ? { alignment: 'right' as const } : {}),
            })),
            ...(one.rows.length === 0
              ? [[{ text: 'nothing yet', color: SOFT, colSpan: one.head.length }, ...one.head.slice(1).map(() => '')]]
              : one.rows.map((row) => row.map(cell))),
          ],
        },
      };
    }
  }
}

function layout({ title, subtitle, facts, sections, footer }: Dossier): TDocumentDefinitions {
  return {
    info: { title, subject: subtitle, creator: 'polyad', producer: 'polyad' },
    pageSize: 'A4',
    pageMargins: [54, 56, 54, 60],
    defaultStyle: { font: 'Roboto', fontSize: 10, lineHeight: 1.25, color: INK },
    footer: (page, pages) => ({
      margin: [54, 18, 54, 0],
      fontSize: 8,
      color: SOFT,
      columns: [{ text: footer }, { text: `${page} / ${pages}`, alignment: 'right', width: 60 }],
    }),
    content: [
      { canvas: [{ type: 'rect', x: 0, y: 0, w: 64, h: 6, color: BRAND }], margin: [0, 120, 0, 18] },
      { text: subtitle.toUpperCase(), color: BRAND, bold: true, fontSize: 10, characterSpacing: 0.8 },
      { text: title, fontSize: 28, bold: true, lineHeight: 1.15, margin: [0, 8, 0, 26] },
      {
        layout: 'noBorders',
        table: {
          widths: [WIDTH * 0.3, '*'],
          body: facts.map(([name, text]) => [{ text: name, color: SOFT }, breakable(text)]),
        },
        margin: [0, 0, 0, 34],
      },
      { toc: { title: { text: 'Contents', bold: true, fontSize: 14, margin: [0, 0, 0, 8] } } },
      ...sections.flatMap((section, index): Content[] => [
        {
          text: `${index + 1}. ${section.title}`,
          fontSize: 16,
          bold: true,
          tocItem: true,
          tocMargin: [0, 2, 0, 2],
          margin: [0, section.page === true ? 0 : 14, 0, 8],
          ...(section.page === true ? { pageBreak: 'before' as const } : {}),
        },
        ...section.blocks.map(block),
      ]),
    ],
  };
}

pdfmake.setFonts(fonts as never);
// Only the fonts are read; nothing in a dossier may name a file or an address to be fetched.
pdfmake.setLocalAccessPolicy((path: string) => path.startsWith(fontFolder));
pdfmake.setUrlAccessPolicy(() => false);
const bytes = await pdfmake.createPdf(layout(workerData as Dossier)).getBuffer();
parentPort?.postMessage(new Uint8Array(bytes));
