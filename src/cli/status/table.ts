/** Columns side by side, for people. */

/** How a cell is to be seen. Only ever in addition to its words. */
export type Tone = 'good' | 'bad' | 'warning' | 'dim' | 'plain'
export type Cell = Readonly<{ text: string; tone?: Tone; isNumber?: boolean }>

/** Colours text, or leaves it as it is. */
export type Paint = (text: string, tone: Tone) => string

const CODES: Readonly<Record<Tone, string>> = {
  good: '32',
  bad: '1;31',
  warning: '33',
  dim: '2',
  plain: '',
}

/** `isColoured`: for a terminal. */
export function painter(isColoured: boolean): Paint {
  return (text, tone) => (isColoured && CODES[tone] !== '' ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text)
}

/** The lines of a table, without trailing spaces; the first row is the head. Numbers stand on the right. */
export function tableLines(rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.text.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map(({ text, tone = 'plain', isNumber = false }, column) => {
        const padding = ' '.repeat(widths[column]! - text.length)
        const isLast = column === row.length - 1
        const painted = paint(text, tone)
        if (isNumber) return padding + painted
        return isLast ? painted : painted + padding
      })
      .join('  '),
  )
}
