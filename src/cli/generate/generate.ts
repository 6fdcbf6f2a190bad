/**
 * `cohort generate`: creates groups, perhaps with members, then asks every node directly whether it holds
 * them.
 */
import { randomBytes } from 'node:crypto'
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { memberKey } from '../../engines/cohort/group-members/member-keys.ts'
import { etagOf } from '../../group/etag.ts'
import { decodeGroup } from '../../group/group-codec.ts'
import { decodeGroupMember } from '../../group/group-member-codec.ts'
import { lifeOf } from '../../group/life.ts'
import { classicQuorum } from '../../register/quorum.ts'
import type { Connect } from '../../rpc/transport.ts'
import { ApiClient, type ApiCredentials } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { findCluster } from '../find-cluster.ts'
import { formatCount, Progress, type ProgressOutput } from '../progress.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { addMembers, type MemberPlan } from './add-members.ts'
import { createGroups, stateOfGroup } from './create-groups.ts'
import { RandomIds } from './random-ids.ts'
import { countUnverified, reportLines } from './report.ts'
import { emptyTally, type Tally } from './send-batches.ts'
import { type NodeVerdict, type VerifyOptions, verifyOnNodes } from './verify-on-nodes.ts'

export type GenerateOptions = Readonly<{
  amount: number
  /** How many members each group gets. */
  membersEach: number
  /** Where the API is, for messages, and where each connector is (default: `url`). */
  url: string
  urls?: readonly string[]
  credentials?: ApiCredentials
  concurrency: number
  /** How many groups, or members of a group, one request makes. `undefined`: one group, without a batch. */
  batchSize: number | undefined
  /** The nodes to ask. `undefined`: the members of the cluster. */
  hosts: readonly string[] | undefined
  connect: Connect
  output: ProgressOutput
  /** When it aborts, the work ends, and the report says what was done. */
  signal: AbortSignal
}>

/** How long to wait for nodes that lag. */
const VERIFY_PATIENCE_MS = 5_000
/** How many members one request adds, without another size. */
const MEMBERS_BATCH_SIZE = 100
/** In how many of the groups each member is, about. */
const GROUPS_OF_MEMBER = 10

/** One kind of thing that the run makes, and what became of it. */
type Stage = Readonly<{
  kind: 'groups' | 'members'
  tally: Tally
  make: (onProgress: () => void) => Promise<void>
  keyOf: VerifyOptions['keyOf']
  stateOf: VerifyOptions['stateOf']
}>

/**
 * Makes and verifies the groups and their members, and prints the report.
 *
 * @returns the exit code: ok when all were made and each is on a quorum of nodes
 * @throws CommandFailure when no connector answers, or the nodes are not known
 */
export async function generate(options: GenerateOptions): Promise<number> {
  const { amount, membersEach, url, urls, credentials, concurrency, output, signal } = options
  const client = new ApiClient({ url, urls, credentials, connections: concurrency })
  try {
    const { hosts } = options
    // With `hosts`, the nodes are known before the connector has found its cluster.
    const isEnough = ({ clusterId }: ClusterStatus) => clusterId !== null || hosts !== undefined
    const cluster = await findCluster(client, url, { isEnough, nowMs: output.nowMs, signal })
    const addresses = hosts ?? cluster.members.map(({ address }) => address)
    const quorum = classicQuorum(cluster.clusterId === null ? addresses.length : cluster.members.length)
    const { batchSize } = options
    const atATime =
      batchSize === undefined
        ? `${concurrency} at a time`
        : `in batches of ${formatCount(batchSize)}, ${concurrency} at a time`
    const what = membersEach === 0 ? 'groups' : `groups with ${formatCount(membersEach)} members each`
    output.write(`creating ${formatCount(amount)} ${what} through ${url}, ${atATime}\n`)

    const progress = new Progress(output)
    const stages = stagesOf(client, options)
    const durations: number[] = []
    for (const stage of stages) durations.push(await makeAll(stage, progress, signal))
    const verdicts: (NodeVerdict[] | undefined)[] = []
    // In this order: a node is asked for members by the lives of their groups.
    const at = { addresses, clusterId: cluster.clusterId ?? undefined }
    for (const stage of stages)
      verdicts.push(signal.aborted ? undefined : await verify(stage, options, at, progress))
    const reports = stages.map(({ kind, tally }, index) => ({
      kind,
      amount: tally.ledger.size,
      tally,
      makeMs: durations[index]!,
      verdicts: verdicts[index],
      quorum,
    }))
    for (const line of reports.flatMap(reportLines)) output.write(`${line}\n`)
    if (signal.aborted) return EXIT.interrupted
    const isAllWell = reports.every(
      (report) =>
        report.tally.ledger.madeCount === report.amount &&
        countUnverified(report.tally.ledger, report.verdicts ?? [], quorum) === 0,
    )
    return isAllWell ? EXIT.ok : EXIT.failed
  } finally {
    await client.close()
  }
}

function stagesOf(client: ApiClient, options: GenerateOptions): Stage[] {
  const { amount, membersEach, batchSize, concurrency, signal } = options
  const ids = new RandomIds(amount)
  const idOf = (number: number) => ids.idOf(number)
  const groups = emptyTally(amount)
  const lives: string[] = []
  const groupStage: Stage = {
    kind: 'groups',
    tally: groups,
    make: (onProgress) => createGroups({ client, idOf, batchSize, concurrency, signal, onProgress }, groups),
    keyOf: (number) => `group/${idOf(number)}`,
    stateOf: (value, number) => {
      const group = decodeGroup(value)
      const state = stateOfGroup(group)
      if (membersEach > 0 && groups.ledger.isMadeAs(number, state)) lives[number] ??= lifeOf(group)
      return state
    },
  }
  if (membersEach === 0) return [groupStage]
  const members = emptyTally(amount * membersEach)
  const plan = planOf(options, idOf)
  const memberStage: Stage = {
    kind: 'members',
    tally: members,
    make: (onProgress) =>
      addMembers(
        {
          client,
          plan,
          groups: groups.ledger,
          batchSize: batchSize ?? MEMBERS_BATCH_SIZE,
          concurrency,
          signal,
          onProgress,
        },
        members,
      ),
    keyOf: (number) => {
      const group = Math.floor(number / membersEach)
      const life = lives[group]
      if (life === undefined) return undefined
      return memberKey({ groupId: idOf(group), life, memberId: plan.memberIdOf(number) })
    },
    stateOf: (value) => etagOf(decodeGroupMember(value)),
  }
  return [groupStage, memberStage]
}

function planOf({ amount, membersEach }: GenerateOptions, groupIdOf: MemberPlan['groupIdOf']): MemberPlan {
  const run = randomBytes(4).toString('hex')
  const memberCount = Math.max(membersEach, Math.ceil((amount * membersEach) / GROUPS_OF_MEMBER))
  const memberIdOf = (number: number) => `member-${run}-${number % memberCount}`
  return { membersEach, groupIdOf, memberIdOf }
}

/** @returns how long it took, in milliseconds */
async function makeAll(
  { kind, tally, make }: Stage,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const startMs = performance.now()
  const { ledger } = tally
  const state = () => {
    const failed = tally.finished - ledger.madeCount
    const rate = `${formatCount((tally.finished * 1_000) / (performance.now() - startMs))}/s`
    const note = failed === 0 ? rate : `${rate}  ${formatCount(failed)} failed`
    const label = kind === 'groups' ? 'created' : 'added'
    return { label, done: ledger.madeCount, total: ledger.size, note }
  }
  if (!signal.aborted) {
    const work = make(() => progress.show(state()))
    await untilInterrupted(work, signal)
    progress.finish(state())
  }
  return performance.now() - startMs
}

async function verify(
  { tally: { ledger }, keyOf, stateOf }: Stage,
  { connect, signal }: GenerateOptions,
  { addresses, clusterId }: Pick<VerifyOptions, 'addresses' | 'clusterId'>,
  progress: Progress,
): Promise<NodeVerdict[]> {
  const total = ledger.madeCount * addresses.length
  const state = (done: number) => ({ label: 'verified', done, total, note: `on ${addresses.length} nodes` })
  const verdicts = await verifyOnNodes({
    addresses,
    clusterId,
    ledger,
    keyOf,
    stateOf,
    connect,
    patienceMs: VERIFY_PATIENCE_MS,
    signal,
    onProgress: (held) => progress.show(state(held)),
  })
  progress.finish(state(verdicts.reduce((sum, { held }) => sum + held.size, 0)))
  return verdicts
}
