import type { Logger } from 'pino'
import type { ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'
import type { Clock } from '../../../process/clock.ts'

export type StateLogOptions = Readonly<{
  describe: () => Pick<ClusterStatus, 'verdict' | 'reason' | 'clusterId' | 'members'>
  clock: Clock
  logger: Pick<Logger, 'warn'>
}>

/** The time between two looks at the state. */
export const LOOK_MS = 1_000
/** A connector that has just started has this time to find its nodes before a line is written. */
export const START_MS = 5_000
/** The shortest time between two lines about one node, or about the verdict. */
export const SPACING_MS = 10_000
/** A node must be slow for this time before a line says so. */
export const SLOW_MS = 5_000

type NodeState = 'up' | 'slow' | 'waiting' | 'unreachable'

/** A state that lines report: the verdict, or the state of a node. */
type Subject<S extends string> = {
  state: S
  /** The state in the last line about it. Before the first line: `healthy` or `up`. */
  told: S
  toldMs: number
  /** How often the state has changed since that line. */
  changeCount: number
}

type NodeSubject = Subject<NodeState> & { slowSinceMs: number | undefined }

/**
 * Logs each change of the verdict and of the state of a node, so that the log of a connector tells when
 * something happened. All lines have the level `warn`, so that a log which has only warnings also says when a
 * node is well again.
 *
 * If changes follow each other closely, the first one is logged at once, and the final state later.
 */
export class StateLog {
  readonly #options: StateLogOptions
  readonly #verdict = newSubject<ClusterStatus['verdict']>('healthy')
  readonly #nodes = new Map<string, NodeSubject>()
  #startMs = 0
  #cancel: () => void = () => undefined

  constructor(options: StateLogOptions) {
    this.#options = options
  }

  /** Begins to look. `close` ends it. */
  start(): void {
    this.#startMs = this.#options.clock.nowMs()
    this.#look()
  }

  close(): void {
    this.#cancel()
  }

  #look(): void {
    const { describe, clock } = this.#options
    const nowMs = clock.nowMs()
    const status = describe()
    if (nowMs - this.#startMs >= START_MS) {
      this.#tellVerdict(status, nowMs)
      this.#tellNodes(status, nowMs)
    }
    this.#cancel = clock.after(LOOK_MS, () => this.#look())
  }

  #tellVerdict({ verdict, reason }: ReturnType<StateLogOptions['describe']>, nowMs: number): void {
    const before = this.#verdict.told
    const change = observe(this.#verdict, verdict, nowMs)
    if (change === undefined) return
    this.#options.logger.warn({ verdict, before, reason, ...change }, `the cluster is ${verdict}`)
  }

  #tellNodes({ clusterId, members }: ReturnType<StateLogOptions['describe']>, nowMs: number): void {
    // Before the cluster is found, the reason of the verdict names the nodes that are missing.
    if (clusterId === null) return
    const nodeIds = new Set(members.map(({ nodeId }) => nodeId))
    for (const nodeId of this.#nodes.keys()) if (!nodeIds.has(nodeId)) this.#nodes.delete(nodeId)
    for (const member of members) {
      const { nodeId, address, problem } = member
      if (nodeId === null) continue
      const subject = this.#nodes.get(nodeId) ?? { ...newSubject<NodeState>('up'), slowSinceMs: undefined }
      this.#nodes.set(nodeId, subject)
      const before = subject.told
      const state = lastingState(subject, stateOf(member), nowMs)
      const change = observe(subject, state, nowMs)
      if (change === undefined) continue
      const fields = { node: nodeId, address, state, before, ...change }
      this.#options.logger.warn(problem === null ? fields : { ...fields, problem }, MESSAGES[state])
    }
  }
}

const MESSAGES = {
  up: 'a node is up again',
  slow: 'a node is slow, and is not waited for',
  waiting: 'a node answers, but takes no part',
  unreachable: 'a node does not answer',
} as const satisfies Record<NodeState, string>

function stateOf({ reachable, suspect, version }: MemberStatus): NodeState {
  if (reachable) return suspect ? 'slow' : 'up'
  return version === null ? 'unreachable' : 'waiting'
}

function newSubject<S extends string>(state: S): Subject<S> {
  return { state, told: state, toldMs: Number.NEGATIVE_INFINITY, changeCount: 0 }
}

/** The state; but if it is `slow` and has not lasted for `SLOW_MS`, the state before it. */
function lastingState(subject: NodeSubject, state: NodeState, nowMs: number): NodeState {
  if (state !== 'slow') {
    subject.slowSinceMs = undefined
    return state
  }
  subject.slowSinceMs ??= nowMs
  return nowMs - subject.slowSinceMs < SLOW_MS ? subject.state : state
}

/**
 * Records a state.
 *
 * @returns `undefined`: no line is due; else the fields that the line must add. `changes`: how many changes
 *   the line stands for, if there was more than one
 */
function observe<S extends string>(
  subject: Subject<S>,
  state: S,
  nowMs: number,
): { changes?: number } | undefined {
  if (state !== subject.state) subject.changeCount += 1
  subject.state = state
  if (subject.changeCount === 0 || nowMs - subject.toldMs < SPACING_MS) return undefined
  const { changeCount } = subject
  subject.told = state
  subject.toldMs = nowMs
  subject.changeCount = 0
  return changeCount === 1 ? {} : { changes: changeCount }
}
