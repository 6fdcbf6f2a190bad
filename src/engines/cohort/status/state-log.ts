import type { Logger } from 'pino'
import type { ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'
import type { Clock } from '../../../process/clock.ts'

export type StateLogOptions = Readonly<{
  describe: () => Pick<ClusterStatus, 'verdict' | 'reason' | 'clusterId' | 'members'>
  clock: Clock
  logger: Pick<Logger, 'warn'>
}>

/** Between one look at the state and the next. */
export const LOOK_MS = 1_000
/** A connector that has just started finds its nodes within this time, and says nothing of it. */
export const START_MS = 5_000
/** The shortest time between two lines about one node, or about the verdict. */
export const SPACING_MS = 10_000
/** A node that is slow for a moment is no event. A node is told to be slow after this time. */
export const SLOW_MS = 5_000

type NodeState = 'up' | 'slow' | 'waiting' | 'unreachable'

/** Something that has a state, and that lines tell of: the verdict, or a node. */
type Subject<S extends string> = {
  state: S
  /** The state in the last line about it. At first, that all is well. */
  told: S
  toldMs: number
  /** Changes since that line. */
  changeCount: number
}

type NodeSubject = Subject<NodeState> & { slowSinceMs: number | undefined }

/**
 * Writes a line for each change of the verdict and of the state of a node, for whoever reads the log of a
 * connector to learn when something happened. All lines have the level `warn`: where only warnings are
 * logged, the line that says that a node is well again belongs to the one that says that it was not.
 *
 * Of changes that follow each other closely, the first one is told at once, and the state that they have come
 * to later.
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

  /** Begins; `close` ends it. */
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
    // Before the cluster is found, the verdict says whom the connector waits for.
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

/** The state, unless that is slowness that has not lasted: then the state before it. */
function lastingState(subject: NodeSubject, state: NodeState, nowMs: number): NodeState {
  if (state !== 'slow') {
    subject.slowSinceMs = undefined
    return state
  }
  subject.slowSinceMs ??= nowMs
  return nowMs - subject.slowSinceMs < SLOW_MS ? subject.state : state
}

/**
 * Takes note of a state.
 *
 * @returns what a line has to add, if one is to be written now. `changes` when there were more than the one
 * it tells
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
