/** `cohort status`: asks once, or once a second until it is told to stop. */
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { ApiClient, type Reply } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { describeProblem, describeUnreachable, toFailure } from '../group-command.ts'
import { statusLines } from './status-lines.ts'
import { painter } from './table.ts'

export type StatusOptions = Readonly<{
  url: string
  isJson: boolean
  output: StatusOutput
}>

export type StatusOutput = Readonly<{
  write: (text: string) => void
  /** A terminal: it is redrawn and has colours. */
  isTerminal: boolean
}>

export type WatchOptions = StatusOptions &
  Readonly<{
    /** Resolves after some time, or soon after the signal. */
    pause: (signal: AbortSignal) => Promise<void>
    signal: AbortSignal
    clockTime: () => string
  }>

/** Below this a connector that hangs is as good as one that is not there. */
const ANSWER_TIMEOUT_MS = 5_000

const EXIT_OF = {
  healthy: EXIT.ok,
  degraded: EXIT.degraded,
  unavailable: EXIT.unavailable,
} as const satisfies Record<ClusterStatus['verdict'], number>

/**
 * Asks and prints once. @returns the exit code of the verdict @throws CommandFailure when no connector
 * answers
 */
export async function showStatus({ url, isJson, output }: StatusOptions): Promise<number> {
  const client = new ApiClient({ url, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  try {
    const reply = await client.cluster()
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    const { value, text } = reply
    const lines = isJson ? [text] : statusLines(value, painter(output.isTerminal))
    output.write(`${lines.join('\n')}\n`)
    return EXIT_OF[value.verdict]
  } finally {
    await client.close()
  }
}

/** Asks and prints until the signal. A connector that is away is said to be, and asked again. */
export async function watchStatus(options: WatchOptions): Promise<number> {
  const { url, isJson, output, pause, signal, clockTime } = options
  const client = new ApiClient({ url, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  try {
    while (!signal.aborted) {
      const reply = await client.cluster()
      if (signal.aborted) break
      const lines = isJson ? [jsonLine(reply, url)] : [...watchLines(reply, options), '', clockTime()]
      output.write(
        output.isTerminal && !isJson ? redrawn(lines) : `${lines.join('\n')}\n${isJson ? '' : '\n'}`,
      )
      await pause(signal)
    }
    return EXIT.interrupted
  } finally {
    await client.close()
  }
}

function watchLines(reply: Reply<ClusterStatus>, { url, output }: WatchOptions): string[] {
  const paint = painter(output.isTerminal)
  if (reply.kind === 'answered') return statusLines(reply.value, paint)
  return [`${paint('NO ANSWER', 'bad')}  ${whyNot(reply, url)}`]
}

/** One line, whatever came: what reads it can rely on JSON. */
function jsonLine(reply: Reply<ClusterStatus>, url: string): string {
  return reply.kind === 'answered'
    ? reply.text
    : JSON.stringify({ verdict: null, reason: whyNot(reply, url) })
}

function whyNot(reply: Exclude<Reply<ClusterStatus>, { kind: 'answered' }>, url: string): string {
  return reply.kind === 'problem' ? describeProblem(reply.problem) : describeUnreachable(url, reply.reason)
}

/** Over what was there, line by line: a cleared screen would flicker. */
function redrawn(lines: readonly string[]): string {
  return `\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`
}
