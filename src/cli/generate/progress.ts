/** Progress of something countable: a bar that moves on a terminal, now and then a plain line elsewhere. */

/** How far it is; `total` is `undefined` while nobody knows it. `note` is appended as it is. */
export type ProgressState = Readonly<{ label: string; done: number; total: number | undefined; note: string }>

/** Where progress goes. `columns` is the width of a terminal, `undefined` when it is none. */
export type ProgressOutput = Readonly<{
  write: (text: string) => void
  columns: number | undefined
  nowMs: () => number
}>

/** Progress to a stream of this process. */
export function progressOutput(stream: NodeJS.WriteStream): ProgressOutput {
  return {
    write: (text) => void stream.write(text),
    // Asked each time: a window is resized. A terminal that does not know its width says 0.
    get columns() {
      return stream.isTTY ? stream.columns || 80 : undefined
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

  /** Shows the state, unless something was shown a moment ago: it may be called for each step. */
  show(state: ProgressState): void {
    const nowMs = this.#output.nowMs()
    const { columns } = this.#output
    // A bar stands there from the start; a line has something to say only after a while.
    this.#shownMs ??= columns === undefined ? nowMs : Number.NEGATIVE_INFINITY
    if (nowMs - this.#shownMs < (columns === undefined ? LINE_MS : BAR_MS)) return
    this.#shownMs = nowMs
    this.#draw(state)
  }

  /** Shows the state as the last one of its label. */
  finish(state: ProgressState): void {
    this.#draw(state)
    this.clear()
    this.#shownMs = undefined
  }

  /** Ends the line that a bar stands on, so that something else can be printed. */
  clear(): void {
    if (this.#isBarShown) this.#output.write('\n')
    this.#isBarShown = false
  }

  #draw(state: ProgressState): void {
    const { columns, write } = this.#output
    if (columns === undefined) return write(`${progressLine(state)}\n`)
    this.#isBarShown = true
    write(`\r\x1b[2K${progressBar(state, columns)}`)
  }
}

/** `created 300 of 1,000  5,120/s`, or `created 300  5,120/s` */
export function progressLine({ label, done, total, note }: ProgressState): string {
  const of = total === undefined ? '' : ` of ${formatCount(total)}`
  return `${label} ${formatCount(done)}${of}${note && `  ${note}`}`
}

/**
 * `created [######----]  60 %  600/1,000  5,120/s`, never wider than `columns`: a wrapped bar cannot be
 * redrawn.
 */
export function progressBar(state: ProgressState, columns: number): string {
  const { label, done, total, note } = state
  if (total === undefined) return progressLine(state).slice(0, Math.max(0, columns - 1))
  const share = total === 0 ? 1 : done / total
  // Rounded down: 100 % is said when it is all.
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
