/** The state of the database as the public API shows it. */
import type { ClusterStatus } from '../../api/status-schemas.ts'
import type { StatusView } from '../engine.ts'
import type { Durability } from './durability.ts'
import type { RowStore } from './row-store.ts'

export type PostgresStatusOptions = Readonly<{
  durability: Pick<Durability, 'view' | 'whyNoWrites'>
  store: Pick<RowStore, 'writeFault'>
  required: number
  notices: () => readonly string[]
}>

export class PostgresStatus implements StatusView {
  readonly #options: PostgresStatusOptions

  constructor(options: PostgresStatusOptions) {
    this.#options = options
  }

  describe(): ClusterStatus {
    const { durability, required, notices } = this.#options
    const { view } = durability
    return {
      ...this.#verdict(),
      clusterId: view?.clusterId ?? null,
      epoch: view?.timeline ?? null,
      quorum: null,
      change: null,
      replacement: null,
      members: [],
      notices: [...notices()],
      divergences: { count: 0, first: [] },
      database: {
        primary: view?.address ?? null,
        version: view?.version ?? null,
        timeline: view?.timeline ?? null,
        synchronousNames: view?.synchronousNames ?? null,
        waitsFor: view?.waitsFor ?? null,
        required,
        standbys: [...(view?.standbys ?? [])],
      },
    }
  }

  #verdict(): Pick<ClusterStatus, 'verdict' | 'reason'> {
    const { durability, store, required } = this.#options
    const { view } = durability
    const reason = durability.whyNoWrites() ?? store.writeFault
    if (reason !== undefined) return { verdict: 'unavailable', reason }
    const synchronous = (view?.standbys ?? []).filter(({ isSynchronous }) => isSynchronous).length
    if (required === 0 && (view?.waitsFor ?? 0) === 0) {
      return {
        verdict: 'degraded',
        reason:
          'No standby is asked for (--synchronous-standbys 0): a lost primary loses acknowledged writes.',
      }
    }
    if (synchronous === view?.waitsFor) {
      return {
        verdict: 'degraded',
        reason: `The primary ${view.address} waits for all of its ${synchronous} synchronous standbys: none of them may fail.`,
      }
    }
    return {
      verdict: 'healthy',
      reason: `The primary ${view?.address} has ${synchronous} synchronous standbys, and waits for ${view?.waitsFor} of them.`,
    }
  }
}
