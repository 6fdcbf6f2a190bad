/**
 * Tables and lines of text, for people. The texts may come from a server that lies, so their control
 * characters are escaped here: they make no lines of their own, no colours, and do not move the cursor.
 */
import { printable } from '../format-group.ts'

/** The meaning of a cell, for its colour. A colour never says more than the words do. */
export type Tone = 'good' | 'bad' | 'warning' | 'dim' | 'plain'

export type Cell = Readonly<{ text: string; tone?: Tone; isNumber?: boolean }>

/**
 * A cell of the head. If a table is too wide, the column with the lowest `rank` is left out first. A column
 * without `rank` is always shown.
 */
export type HeadCell = Cell & Readonly<{ rank?: number }>

/** Colours text, or leaves it as it is. */
export type Paint = (text: string, tone: Tone) => string

/** How lines are made. `columns`: the largest width that they may have; `undefined`: no limit. */
export type Layout = Readonly<{ paint: Paint; columns?: number | undefined }>

const CODES: Readonly<Record<Tone, string>> = {
  good: '32',
  bad: '1;31',
  warning: '33',
  dim: '2',
  plain: '',
}

export function painter(hasColours: boolean): Paint {
  return (text, tone) => (hasColours && CODES[tone] !== '' ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text)
}

/** The lines of a table, without trailing spaces. Numbers are aligned to the right. */
export function tableLines(
  head: readonly HeadCell[],
  rows: readonly (readonly Cell[])[],
  { paint, columns = Number.POSITIVE_INFINITY }: Layout,
): string[] {
  const all = [head.map((cell) => ({ tone: 'dim' as const, ...cell })), ...rows].map((row) =>
    row.map(({ text, ...cell }): Cell => ({ ...cell, text: printable(text) })),
  )
  const widths = head.map((_, index) => Math.max(...all.map((row) => row[index]!.text.length)))
  const shown = fittingColumns(head, widths, columns)
  return all.map((row) =>
    shown
      .map((index) => {
        const { text, tone = 'plain', isNumber = false } = row[index]!
        const padding = ' '.repeat(widths[index]! - text.length)
        const painted = paint(text, tone)
        if (isNumber) return padding + painted
        return index === shown.at(-1) ? painted : painted + padding
      })
      .join(GAP),
  )
}

/** The text in lines of at most `columns` characters, broken between words where that is possible. */
export function folded(text: string, columns: number = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = []
  let rest = printable(text)
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns)
    const end = space > 0 ? space : columns
    lines.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

/** The verdict as a word, and the reason as a sentence, in lines that fit. */
export function verdictLines(word: string, tone: Tone, reason: string, { paint, columns }: Layout): string[] {
  const [first = '', ...more] = folded(`${word}  ${reason}`, columns)
  return [first.replace(word, () => paint(word, tone)), ...more]
}

const GAP = '  '

/** The indexes of the columns that fit side by side. */
function fittingColumns(
  head: readonly HeadCell[],
  widths: readonly number[],
  columns: number,
): readonly number[] {
  const shown = new Set(head.keys())
  const byRank = [...head.keys()]
    .filter((index) => head[index]!.rank !== undefined)
    .sort((a, b) => head[a]!.rank! - head[b]!.rank!)
  const width = () => [...shown].reduce((sum, index) => sum + widths[index]! + GAP.length, -GAP.length)
  for (const index of byRank) {
    if (width() <= columns) break
    shown.delete(index)
  }
  return [...shown]
}
