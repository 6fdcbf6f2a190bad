/**
 * `cohort add`, `replace` and `remove`: requests a change of the membership, and waits until it is complete.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MembershipChange } from '../../api/member-schemas.ts'
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { ApiClient, type ApiCredentials, type Reply } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import type { ProgressOutput } from '../progress.ts'

/** The change to make. `address` is the address of the empty node, `nodeId` the member that leaves. */
export type MemberChange =
  | Readonly<{ kind: 'add'; address: string }>
  | Readonly<{ kind: 'replace'; nodeId: string; address: string }>
  | Readonly<{ kind: 'remove'; nodeId: string }>

export type ChangeMembersOptions = Readonly<{
  /** Where the API is, for messages, and where each connector is (default: `url`). */
  url: string
  urls?: readonly string[]
  credentials?: ApiCredentials
  /** Whether to wait until the change is complete. */
  isAwaited: boolean
  output: ProgressOutput
  /** When it aborts, the command stops waiting. The change goes on. */
  signal: AbortSignal
  /** The pause between two requests for the state of the change. Default: 500 ms. */
  pauseMs?: number
}>

const PAUSE_MS = 500
/** The time between two lines about the progress. */
const LINE_MS = 2_000

/** @returns the exit code @throws CommandFailure when the change has not begun, or may not have begun */
export async function changeMembers(change: MemberChange, options: ChangeMembersOptions): Promise<number> {
  const { url, urls, credentials, isAwaited, output } = options
  const client = new ApiClient({ url, urls, credentials })
  try {
    const reply = await ask(client, change)
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    output.write(`begun with epoch ${reply.value.epoch}\n`)
    if (!isAwaited) {
      output.write('"cohort status" shows the progress\n')
      return EXIT.ok
    }
    return await untilDone(client, reply.value, options)
  } finally {
    await client.close()
  }
}

function ask(client: ApiClient, change: MemberChange): Promise<Reply<MembershipChange>> {
  switch (change.kind) {
    case 'add':
      return client.addMember(change.address)
    case 'replace':
      return client.replaceMember(change.nodeId, change.address)
    case 'remove':
      return client.removeMember(change.nodeId)
    default:
      return change satisfies never
  }
}

/**
 * The change does not depend on this program. If the connector is away for a while, a later answer tells how
 * the change ended.
 */
async function untilDone(
  client: ApiClient,
  change: MembershipChange,
  { output, signal, pauseMs = PAUSE_MS }: ChangeMembersOptions,
): Promise<number> {
  let saidAtMs = output.nowMs()
  // A change without `outgoing` takes another change back, and is complete with its own epoch.
  const epochAtEnd = change.outgoing === undefined ? change.epoch : change.epoch + 1
  while (!signal.aborted) {
    const reply = await client.cluster()
    if (reply.kind === 'answered' && (reply.value.epoch ?? 0) >= epochAtEnd) {
      return report(reply.value, change, output)
    }
    if (output.nowMs() - saidAtMs >= LINE_MS) {
      saidAtMs = output.nowMs()
      output.write(`${lineOf(reply)}\n`)
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
  output.write('stopped waiting; the change goes on, and "cohort status" shows the progress\n')
  return EXIT.interrupted
}

function lineOf(reply: Reply<ClusterStatus>): string {
  if (reply.kind !== 'answered')
    return 'the connector does not answer at the moment; the change waits, or another connector carries it out'
  return printable(reply.value.change ?? reply.value.reason)
}

/** Another change may have taken this one back meanwhile, or may have replaced the joining node. */
function report({ epoch, members }: ClusterStatus, change: MembershipChange, output: ProgressOutput): number {
  const isAsWanted = change.members.every(({ nodeId }) => members.some((member) => member.nodeId === nodeId))
  if (!isAsWanted) {
    throw new CommandFailure(
      `the change was ended by another one: see "cohort status" for the members of epoch ${epoch}`,
    )
  }
  output.write(`done with epoch ${epoch}; the ${members.length} members are:\n`)
  for (const { nodeId, address } of members)
    output.write(`  ${printable(nodeId ?? '?')}  ${printable(address)}\n`)
  return EXIT.ok
}
