import type { Holding, Reply, Request } from '../../register/messages.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { ParcelId } from './action.ts'
import type { Session } from './connector.ts'
import type { Epoch } from './epoch.ts'
import { GROUP, type Key } from './key.ts'
import type { Transfer } from './transfer.ts'

/** The part of a connector that has sent a parcel and receives the answer. */
export type Sender = Session | Transfer

/** A message on its way between a connector and a node, or a timer of the connector. */
export type Parcel = Readonly<{
  id: ParcelId
  /**
   * `list` and `listing`: a transfer asks a node for all that it holds, and the node's answer. `mismatch`:
   * the node did not act, because it is in another epoch. `loss`: the sender learns that a message, or the
   * answer to it, was lost.
   */
  kind: 'request' | 'answer' | 'list' | 'listing' | 'mismatch' | 'loss' | 'timer'
  /** `undefined`: a remover has sent it, and waits for no answer. */
  sender: Sender | undefined
  /** The name of its sender, for a report. */
  name: string
  /** A grace time that began after this time kills it. */
  origin: number
  /** It is for a node in this epoch. */
  epoch: Epoch
  key: Key
  /** The number of the node; 0 for a timer. */
  node: number
  token: number
  request: Request | undefined
}> &
  Said

/** The answer of a node. */
type Said = Readonly<{
  answer: Reply | undefined
  listing: readonly Holding[] | undefined
  /** In a mismatch: the membership of the node; `undefined`: the node is new. */
  nodeMembership: Membership | undefined
}>

type ReplyKind = Exclude<Parcel['kind'], 'request' | 'list'>

const NOTHING: Said = { answer: undefined, listing: undefined, nodeMembership: undefined }

/** All messages that are on their way. */
export class Network {
  /** In no particular order. */
  readonly parcels: Parcel[] = []
  /** The number of parcels that were handled. */
  messageCount = 0
  #removerParcels = 0

  /** A connector sends a message to a node, or sets a timer. */
  send(
    kind: 'request' | 'list' | 'timer',
    sender: Sender,
    key: Key,
    node: number,
    token: number,
    request: Request | undefined,
  ): void {
    this.#push(kind, sender, key, node, token, request, NOTHING)
  }

  /** A remover sends a request about the clients' key, and waits for no answer. */
  sendUnanswered(name: string, origin: number, epoch: Epoch, node: number, request: Request): void {
    this.#removerParcels += 1
    const id = this.#removerParcels
    const rest = { key: GROUP, token: 0, ...NOTHING } as const
    this.parcels.push({ id, kind: 'request', sender: undefined, name, origin, epoch, node, request, ...rest })
  }

  /** Sends the answer to a message, or its loss, to the sender of the message. */
  reply({ sender, key, node, token, request }: Parcel, kind: ReplyKind, said: Said = NOTHING): void {
    if (sender !== undefined) this.#push(kind, sender, key, node, token, request, said)
  }

  /** Lets a sender learn later that a message or its answer was lost. A timer only runs again. */
  notifyLoss(parcel: Parcel): void {
    this.reply(parcel, parcel.kind === 'timer' ? 'timer' : 'loss')
  }

  #push(
    kind: Parcel['kind'],
    sender: Sender,
    key: Key,
    node: number,
    token: number,
    request: Request | undefined,
    { answer, listing, nodeMembership }: Said,
  ): void {
    const { connector, origin } = sender
    const { name, epoch } = connector
    const id = connector.nextParcelId()
    this.parcels.push({
      id,
      kind,
      sender,
      name,
      origin,
      epoch,
      key,
      node,
      token,
      request,
      answer,
      listing,
      nodeMembership,
    })
  }

  /** Finds a parcel; takes it out, or leaves it on its way. */
  find(id: ParcelId, isTaken: boolean): Parcel | undefined {
    const { parcels } = this
    for (let index = 0; index < parcels.length; index += 1) {
      const parcel = parcels[index]!
      if (parcel.id !== id) continue
      if (isTaken) {
        parcels[index] = parcels[parcels.length - 1]!
        parcels.pop()
      }
      this.messageCount += 1
      return parcel
    }
    return undefined
  }

  /** A grace time is over: parcels from before it disappear, and nobody is told. */
  dropOlder(since: number): void {
    for (let index = this.parcels.length - 1; index >= 0; index -= 1) {
      if (this.parcels[index]!.origin < since) this.parcels.splice(index, 1)
    }
  }
}
