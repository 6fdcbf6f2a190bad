/**
 * Shows progress that can be counted: as a moving bar on a terminal, elsewhere as a plain line every 2 s.
 */
import type { Output } from './output.ts'

/** The progress of the work. `total` is `undefined` while it is not known. `note` is appended as it is. */
export type ProgressState = Readonly<{ label: string; done: number; total: number | undefined; note: string }>

/** Where progress goes. `columns` is that of `Output`. */
export type ProgressOutput = Readonly<{
  write: (text: string) => void
  /** As `write`, for text that moves the cursor. */
  draw: (text: string) => void
  columns: number | undefined
  nowMs: () => number
}>

/** Progress to an output of this process. */
export function progressOutput(output: Output): ProgressOutput {
  return {
    write: (text) => output.write(text),
    draw: (text) => output.draw(text),
    // Read each time, because a window can be resized.
    get columns() {
      return output.columns
    },
    nowMs: () => performance.now(),
  }
}

const BAR_MS = 80
const LINE_MS = 2_000
const BAR_WIDTH_MAX = 30

export class Progress {
  readonly #output: ProgressOutput
  #shownMs: number | undefined
  #isBarShown = false

  constructor(output: ProgressOutput) {
    this.#output = output
  }

  /** Shows the state, unless a state was shown a moment ago. It may be called for each step of the work. */
  show(state: ProgressState): void {
    const nowMs = this.#output.nowMs()
    const { columns } = this.#output
    // A bar is shown at once, a line only after 2 s.
    this.#shownMs ??= columns === undefined ? nowMs : Number.NEGATIVE_INFINITY
    if (nowMs - this.#shownMs < (columns === undefined ? LINE_MS : BAR_MS)) return
    this.#shownMs = nowMs
    this.#draw(state)
  }

  /** Shows the final state of a piece of work. */
  finish(state: ProgressState): void {
    this.#draw(state)
    this.clear()
    this.#shownMs = undefined
  }

  /** Ends the line of a bar, so that something else can be printed. */
  clear(): void {
    if (this.#isBarShown) this.#output.write('\n')
    this.#isBarShown = false
  }

  #draw(state: ProgressState): void {
    const { columns, write, draw } = this.#output
    if (columns === undefined) return write(`${progressLine(state)}\n`)
    this.#isBarShown = true
    draw(`\r\x1b[2K${progressBar(state, columns)}`)
  }
}

/** `created 300 of 1,000  5,120/s`, or `created 300  5,120/s` */
export function progressLine({ label, done, total, note }: ProgressState): string {
  const of = total === undefined ? '' : ` of ${formatCount(total)}`
  return `${label} ${formatCount(done)}${of}${note && `  ${note}`}`
}

/**
 * `created [######----]  60 %  600/1,000  5,120/s`. It is always narrower than `columns`, because a bar that
 * wraps cannot be redrawn.
 */
export function progressBar(state: ProgressState, columns: number): string {
  const { label, done, total, note } = state
  if (total === undefined) return progressLine(state).slice(0, Math.max(0, columns - 1))
  const share = total === 0 ? 1 : done / total
  // Rounded down: 100 % means all.
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  const counts = `${formatCount(done)}/${formatCount(total)}${note && `  ${note}`}`
  const rest = label.length + percent.length + counts.length + 7
  const width = Math.min(BAR_WIDTH_MAX, columns - rest)
  if (width < 5) return `${label} ${percent.trim()} ${counts}`.slice(0, Math.max(0, columns - 1))
  const filled = Math.floor(share * width)
  return `${label} [${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${percent}  ${counts}`
}

/** `12,345` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}
