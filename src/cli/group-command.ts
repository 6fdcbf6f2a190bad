/** What the commands about one group have in common: one request, one answer, one exit code. */
import { apiAccess } from './api-access.ts'
import type { ApiClient, GroupView, Problem, Reply } from './api-client.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { formatGroup, printable } from './format-group.ts'
import type { ApiOptions } from './group-options.ts'

/**
 * Sends one request and prints its answer.
 *
 * @throws CommandFailure with the exit code that says whether data may have changed
 */
export function runGroupCommand(
  context: Context,
  options: ApiOptions,
  request: (client: ApiClient) => Promise<Reply<GroupView>>,
): Promise<void> {
  return runApiCommand(context, options, request, formatGroup)
}

/** The same for a request whose answer has another form. `format` shows it to people. */
export async function runApiCommand<T>(
  context: Context,
  options: ApiOptions,
  request: (client: ApiClient) => Promise<Reply<T>>,
  format: (value: T, etag: string | undefined) => string,
): Promise<void> {
  const { stdout, stderr } = context
  const access = apiAccess(context, options)
  const { url } = access
  // Loaded here and not at the start: the HTTP client takes most of the time of a short command, and
  // `cohort node` does not need it.
  const { ApiClient } = await import('./api-client.ts')
  const client = new ApiClient(access)
  try {
    const reply = await request(client)
    if (reply.kind === 'answered') {
      stdout.answer(`${options.json ? reply.text : format(reply.value, reply.etag)}\n`)
      return
    }
    const failure = toFailure(reply, url)
    if (reply.kind !== 'problem' || !options.json) throw failure
    // With --json, stderr gets the problem document and nothing else.
    stderr.write(`${reply.text}\n`)
    throw new CommandFailure('', failure.exitCode)
  } finally {
    await client.close()
  }
}

/** The failure of a command for a reply that is no success. */
export function toFailure(reply: Exclude<Reply<unknown>, { kind: 'answered' }>, url: string): CommandFailure {
  switch (reply.kind) {
    case 'problem':
      return new CommandFailure(
        describeProblem(reply.problem),
        reply.problem.outcome === 'unknown' ? EXIT.unknown : EXIT.failed,
      )
    case 'unreachable':
      return new CommandFailure(describeUnreachable(url, reply.reason))
    case 'broken':
      return new CommandFailure(
        `${reply.reason} (${reply.url ?? url}): the change may have been made, so read before you repeat it`,
        EXIT.unknown,
      )
    default:
      return reply satisfies never
  }
}

/**
 * The message for a connector that does not answer. It names "cohort up" only if the connector should be on
 * this machine: for another machine, "cohort up" would start a second cluster.
 */
export function describeUnreachable(url: string, reason: string): string {
  const start = url.split(', ').every(isOnThisMachine) ? 'start a cluster with "cohort up"' : 'start it there'
  return `no connector answers at ${url} (${reason}): ${start}, or name another with --url`
}

function isOnThisMachine(url: string): boolean {
  return LOOPBACKS.has(new URL(url).hostname)
}

const LOOPBACKS = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** A problem in one line, and one more line for each wrong field that the first line does not name. */
export function describeProblem({ status, code, title, detail, outcome, errors }: Problem): string {
  const said = printable(detail ?? title).replace(/\.$/, '')
  const meaning = MEANINGS[code] ?? MEANINGS[outcome ?? ''] ?? ''
  const fields = errors
    .map(({ field, message }) => printable(`${field}: ${message}`))
    .filter((line) => !said.includes(line.replace(': ', ' ')))
  return [`${said} (${status} ${code})${meaning}`, ...fields].join('\n  ')
}

const MEANINGS: Readonly<{ [outcome: string]: string }> = {
  unauthenticated: ': name a file with a key (--key-file, COHORT_KEY_FILE), or use "cohort login"',
  unreadable_group: ': do not repeat the command; the log of the connector says what to do',
  not_applied: ': you may repeat the command; "cohort status" shows which nodes do not answer',
  unknown: ': the change may have been made, so read before you repeat it',
}
