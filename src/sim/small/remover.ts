import type { Holding } from '../../register/messages.ts'
import type { Finding } from '../../register/removal.ts'
import type { Protocol } from '../protocol.ts'
import type { Epoch } from './epoch.ts'

/** What a remover does once all nodes have reported. */
export type Step = Readonly<{ finding: Finding; holdings: readonly Holding[] }>

/**
 * One connector's removal of the tombstone of the key, by the real rules. It gathers the reports node by
 * node, and its grace time is over when the world says so.
 */
export class Remover {
  readonly name: string
  readonly #removal: Protocol['removal']
  #epoch: Epoch
  /** By node: what it has been told so far. */
  #holdings: Holding[] = []
  #askedAt = 0
  #noted: { readonly finding: Finding; readonly since: number; isGraceOver: boolean } | undefined

  constructor(name: string, epoch: Epoch, removal: Protocol['removal']) {
    this.name = name
    this.#epoch = epoch
    this.#removal = removal
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  /** The next node to ask. */
  get nextNode(): number {
    return this.#epoch.nodes[this.#holdings.length]!
  }

  /** The remover works in another epoch from now on, and forgets what it was told in the one before. */
  follow(epoch: Epoch): void {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#holdings = []
    this.#noted = undefined
  }

  /** The time at which the report under way began. */
  get askedAt(): number {
    return this.#askedAt
  }

  /** The time since which it waits for a grace time to pass; `undefined`: it does not wait. */
  get waitsSince(): number | undefined {
    return this.#noted === undefined || this.#noted.isGraceOver ? undefined : this.#noted.since
  }

  /**
   * The next node has reported. Returns the next step, if it was the last node and nothing has changed since
   * the report before.
   */
  hear(holding: Holding, now: number): Step | undefined {
    if (this.#holdings.length === 0) this.#askedAt = now
    this.#holdings.push(holding)
    if (this.#holdings.length < this.#epoch.nodes.length) return undefined
    const holdings = this.#holdings
    this.#holdings = []
    const finding = this.#removal.find(holdings)
    if (finding.kind === 'other' || finding.kind === 'nothing') {
      this.#noted = undefined
      return undefined
    }
    const isSame = this.#noted !== undefined && this.#removal.isSame(this.#noted.finding, finding)
    if (!this.#removal.waits(finding) || (isSame && this.#noted?.isGraceOver)) {
      this.#noted = undefined
      return { finding, holdings }
    }
    if (!isSame) this.#noted = { finding, since: now, isGraceOver: false }
    return undefined
  }

  /** The grace time is over. The remover gathers a new report. */
  endGrace(): void {
    if (this.#noted !== undefined) this.#noted.isGraceOver = true
    this.#holdings = []
  }
}
