/** `cohort status`: asks a connector once, or once a second until it is stopped. */
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { ApiClient, type ApiCredentials, type Reply } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { printable } from '../format-group.ts'
import { describeProblem, describeUnreachable, toFailure } from '../group-command.ts'
import type { Output } from '../output.ts'
import { statusLines } from './status-lines.ts'
import { painter, verdictLines } from './table.ts'

export type StatusOptions = Readonly<{
  /** Where the API is, for messages, and where each connector is (default: `url`). */
  url: string
  urls?: readonly string[]
  credentials?: ApiCredentials
  isJson: boolean
  output: StatusOutput
}>

export type StatusOutput = Pick<
  Output,
  'write' | 'draw' | 'answer' | 'columns' | 'rows' | 'hasColours' | 'isReaderGone'
>

export type WatchOptions = StatusOptions &
  Readonly<{
    /** Resolves after the time between two states, or soon after the signal. */
    pause: (signal: AbortSignal) => Promise<void>
    signal: AbortSignal
    clockTime: () => string
  }>

/** A connector that takes longer than this counts as one that does not answer. */
const ANSWER_TIMEOUT_MS = 5_000

const EXIT_OF = {
  healthy: EXIT.ok,
  degraded: EXIT.degraded,
  unavailable: EXIT.unavailable,
} as const satisfies Record<ClusterStatus['verdict'], number>

/**
 * Asks and prints once.
 *
 * @returns the exit code of the verdict
 * @throws CommandFailure when no connector answers
 */
export async function showStatus({ url, urls, credentials, isJson, output }: StatusOptions): Promise<number> {
  const client = new ApiClient({ url, urls, credentials, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  try {
    const reply = await client.cluster()
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    const { value, text } = reply
    const lines = isJson ? [text] : statusLines(value, { paint: painter(output.hasColours) })
    output.answer(`${lines.join('\n')}\n`)
    return EXIT_OF[value.verdict]
  } finally {
    await client.close()
  }
}

/**
 * Asks and prints until the signal, or until the reader of the output is gone. If the connector does not
 * answer, that is printed, and the connector is asked again.
 *
 * @returns the exit code: interrupted; or, if the reader is gone, the exit code of the last verdict
 */
export async function watchStatus(options: WatchOptions): Promise<number> {
  const { url, urls, credentials, isJson, output, pause, signal } = options
  const client = new ApiClient({ url, urls, credentials, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  if (isDrawn(options)) output.draw(CLEAR_SCREEN)
  try {
    while (!signal.aborted) {
      const reply = await client.cluster()
      if (signal.aborted) break
      if (isJson) output.write(`${jsonLine(reply, url)}\n`)
      else output.draw(watchText(reply, options))
      await pause(signal)
      if (output.isReaderGone) return reply.kind === 'answered' ? EXIT_OF[reply.value.verdict] : EXIT.failed
    }
    return EXIT.interrupted
  } finally {
    await client.close()
  }
}

/** Whether each status is drawn over the previous one. */
function isDrawn({ isJson, output }: WatchOptions): boolean {
  return output.columns !== undefined && !isJson
}

function watchText(reply: Reply<ClusterStatus>, options: WatchOptions): string {
  const { output, clockTime } = options
  const clock = clockTime()
  if (!isDrawn(options)) return `${[...watchLines(reply, options), '', clock].join('\n')}\n\n`
  // A line that fills the last column or the last row can scroll the lines above it out of sight.
  const { columns = 0, rows = 0 } = output
  const room = { columns: columns - 1, rows: rows - 1 }
  const lines = watchLines(reply, options, room.columns)
  const end = ['', clock.slice(0, room.columns)]
  const isTooLong = lines.length + end.length > room.rows
  const shown = isTooLong ? [...lines.slice(0, Math.max(1, room.rows - 3)), MORE] : lines
  return redrawn([...shown, ...end].slice(0, room.rows))
}

/** Shown in place of the lines that do not fit. */
const MORE = '…'

function watchLines(reply: Reply<ClusterStatus>, { url, output }: WatchOptions, columns?: number): string[] {
  const paint = painter(output.hasColours)
  if (reply.kind === 'answered') return statusLines(reply.value, { paint, columns })
  return verdictLines('NO ANSWER', 'bad', printable(whyNot(reply, url).replaceAll('\n', ' ')), {
    paint,
    columns,
  })
}

/** One line of JSON, whatever the answer is, so that programs can rely on it. */
function jsonLine(reply: Reply<ClusterStatus>, url: string): string {
  return reply.kind === 'answered'
    ? reply.text
    : JSON.stringify({ verdict: null, reason: whyNot(reply, url) })
}

function whyNot(reply: Exclude<Reply<ClusterStatus>, { kind: 'answered' }>, url: string): string {
  return reply.kind === 'problem' ? describeProblem(reply.problem) : describeUnreachable(url, reply.reason)
}

const CLEAR_SCREEN = '\u001b[2J'

/** Draws the lines one by one over what is there. A screen that is cleared first would flicker. */
function redrawn(lines: readonly string[]): string {
  return `\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`
}
