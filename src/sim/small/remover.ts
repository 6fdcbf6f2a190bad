import type { KeyRecord } from '../../register/messages.ts'
import type { Finding } from '../../register/removal.ts'
import type { Protocol } from '../protocol.ts'
import type { Epoch } from './epoch.ts'

/** What a remover does once all nodes have reported. */
export type Step = Readonly<{ finding: Finding; records: readonly KeyRecord[] }>

/**
 * One connector's removal of what is left of the key: the real rules, with reports that it gathers node by
 * node, and with a grace time that is over when the world says so.
 */
export class Remover {
  readonly name: string
  readonly #removal: Protocol['removal']
  #epoch: Epoch
  /** What it has been told so far, by node, and when it began to ask. */
  #records: KeyRecord[] = []
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

  /** The node that it asks next. */
  get nextNode(): number {
    return this.#epoch.nodes[this.#records.length]!
  }

  /** It works in another epoch from now on: what it was told in the one before counts for nothing. */
  follow(epoch: Epoch): void {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#records = []
    this.#noted = undefined
  }

  /** When the report that is being gathered began. */
  get askedAt(): number {
    return this.#askedAt
  }

  /** Since when it waits for a grace time to pass; `undefined`: it does not. */
  get waitsSince(): number | undefined {
    return this.#noted === undefined || this.#noted.isGraceOver ? undefined : this.#noted.since
  }

  /** The next node has reported. Returns what is to be done, if it was the last and all is as it was. */
  hear(record: KeyRecord, now: number): Step | undefined {
    if (this.#records.length === 0) this.#askedAt = now
    this.#records.push(record)
    if (this.#records.length < this.#epoch.nodes.length) return undefined
    const records = this.#records
    this.#records = []
    const finding = this.#removal.find(records)
    if (finding.kind === 'other' || finding.kind === 'nothing') {
      this.#noted = undefined
      return undefined
    }
    const isSame = this.#noted !== undefined && this.#removal.isSame(this.#noted.finding, finding)
    if (!this.#removal.waits(finding) || (isSame && this.#noted?.isGraceOver)) {
      this.#noted = undefined
      return { finding, records }
    }
    if (!isSame) this.#noted = { finding, since: now, isGraceOver: false }
    return undefined
  }

  /** All that was alive when it took note is dead. It reports anew. */
  endGrace(): void {
    if (this.#noted !== undefined) this.#noted.isGraceOver = true
    this.#records = []
  }
}
