/**
 * Charts of the results as SVG: bars, and latencies over their share. No library is needed for these.
 */
import type { Histogram } from '../statistics.ts'

export type Bars = Readonly<{
  title: string
  /** The unit of the axis. */
  unit: string
  sides: readonly string[]
  /** One group of bars for each. `values` are in the order of `sides`; `undefined` or `NaN`: not measured. */
  groups: readonly Readonly<{ label: string; values: readonly (number | undefined)[] }>[]
}>

/** They differ in lightness too, so that they can be told apart without colours. */
const COLOURS = ['#1d4e89', '#f79256', '#7dcfb6', '#b4656f']
const WIDTH = 760
const FONT = 'font-family="sans-serif" font-size="12"'

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const short = (value: number) =>
  value.toLocaleString('en-US', { maximumSignificantDigits: value < 100 ? 2 : 3, useGrouping: true })

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${FONT} ${more}>${escaped(content)}</text>`
}

function page(height: number, title: string, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`
  const ground = `<rect width="${WIDTH}" height="${height}" fill="white"/>`
  const heading = text(16, 24, title, 'font-weight="bold"')
  return `${head}\n<title>${escaped(title)}</title>\n${[ground, heading, ...parts].join('\n')}\n</svg>\n`
}

function legend(sides: readonly string[], y: number): string[] {
  return sides.flatMap((side, index) => [
    `<rect x="${16 + index * 130}" y="${y - 10}" width="12" height="12" fill="${COLOURS[index]}"/>`,
    text(34 + index * 130, y, side),
  ])
}

/** Horizontal bars, each with its value, in groups. */
export function barChart({ title, unit, sides, groups }: Bars): string {
  const known = (value: number | undefined) => (Number.isFinite(value) ? value : undefined)
  const highest = Math.max(...groups.flatMap(({ values }) => values.map((value) => known(value) ?? 0)), 1e-9)
  const left = 250
  const scale = (WIDTH - left - 80) / highest
  const parts = legend(sides, 48)
  let y = 66
  for (const { label, values } of groups) {
    parts.push(text(left - 8, y + values.length * 8 + 4, label, 'text-anchor="end"'))
    for (const [index, value] of values.map(known).entries()) {
      const width = (value ?? 0) * scale
      parts.push(
        `<rect x="${left}" y="${y}" width="${width.toFixed(1)}" height="14" fill="${COLOURS[index]}"/>`,
        text(left + width + 6, y + 11, value === undefined ? 'not measured' : short(value)),
      )
      y += 16
    }
    y += 12
  }
  parts.push(text(left, y + 8, unit, 'fill="#555555"'))
  return page(y + 20, title, parts)
}

export type Curves = Readonly<{
  title: string
  curves: readonly Readonly<{ side: string; histogram: Histogram }>[]
}>

/**
 * Latencies over their share; both axes are logarithmic, so that each nine and each power of ten has the same
 * room.
 */
export function latencyChart({ title, curves }: Curves): string {
  const points = curves.flatMap(({ histogram }) => histogram.points)
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...points.map(({ ms }) => ms), 1)))
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...points.map(({ ms }) => ms), 1.001)))
  const [left, right, top, bottom] = [70, WIDTH - 30, 66, 330]
  const nines = (share: number) => -Math.log10(1 - share)
  const last = Math.max(...points.map(({ share }) => nines(share)), 1)
  const x = (share: number) => left + ((nines(share) - nines(0.5)) / (last - nines(0.5))) * (right - left)
  const y = (ms: number) => bottom - (Math.log10(ms / lowest) / Math.log10(highest / lowest)) * (bottom - top)
  const parts = legend(
    curves.map(({ side }) => side),
    48,
  )
  for (let ms = lowest; ms <= highest * 1.001; ms *= 10) {
    parts.push(
      `<line x1="${left}" x2="${right}" y1="${y(ms).toFixed(1)}" y2="${y(ms).toFixed(1)}" stroke="#dddddd"/>`,
      text(left - 8, y(ms) + 4, `${short(ms)} ms`, 'text-anchor="end"'),
    )
  }
  for (const share of [0.5, 0.9, 0.99, 0.999, 0.9999].filter((share) => nines(share) <= last + 1e-9)) {
    parts.push(text(x(share), bottom + 18, `p${+(share * 100).toFixed(2)}`, 'text-anchor="middle"'))
  }
  for (const [index, { histogram }] of curves.entries()) {
    const line = histogram.points.map(({ share, ms }) => `${x(share).toFixed(1)},${y(ms).toFixed(1)}`)
    parts.push(
      `<polyline points="${line.join(' ')}" fill="none" stroke="${COLOURS[index]}" stroke-width="2"/>`,
    )
  }
  return page(bottom + 34, title, parts)
}
