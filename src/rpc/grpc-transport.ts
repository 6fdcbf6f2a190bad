import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  credentials as grpcCredentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { checkDigestAnswer, ScanCheck } from './answer-checks.ts'
import { decodeAnswerBatch, encodeRequestBatch } from './batch-codec.ts'
import { CertificateError, isAboutCertificate } from './certificate-error.ts'
import { CLIENT_OPTIONS } from './channel-options.ts'
import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  KeyedRequest,
  ReceivedAnswers,
  RequestBatch,
  ScanRange,
} from './messages.ts'
import { nodeService } from './service.ts'
import type { BatchStream, NodeTransport, StreamHandlers } from './transport.ts'
import { WireError, WireVersionError } from './wire.ts'

/** How a connection is encrypted. */
export type Security = Readonly<{ credentials: ChannelCredentials; options: ChannelOptions }>

export type GrpcOptions = Readonly<{
  /** Returns the security of connections to the node at an address. Default: they are not encrypted. */
  security?: (address: string) => Security
  /**
   * Called with everything malformed that a node sends. Such data can only end a stream or fail a request. It
   * may be called often.
   */
  onMalformed?: (address: string, reason: string) => void
}>

/**
 * Reaches the node at `address` (host:port) over gRPC.
 *
 * One HTTP/2 connection carries everything to the node. It is made when it is first needed. If it is lost, it
 * is made again within about a second after the node is back.
 */
export function connectGrpc(
  address: string,
  { security = notEncrypted, onMalformed = ignore }: GrpcOptions = {},
): NodeTransport {
  return new GrpcTransport(address, security(address), (reason) => onMalformed(address, reason))
}

function notEncrypted(): Security {
  return { credentials: grpcCredentials.createInsecure(), options: {} }
}

const CLOSED = 'the transport is closed'

class GrpcTransport implements NodeTransport {
  readonly #address: string
  readonly #client: Client
  readonly #onMalformed: (reason: string) => void
  readonly #streams = new Set<BatchStream>()
  /** Questions and scans that have not ended. */
  readonly #calls = new Set<Pick<ClientUnaryCall, 'cancel'>>()
  #isClosed = false

  constructor(address: string, { credentials, options }: Security, onMalformed: (reason: string) => void) {
    this.#address = address
    // With its scheme, so that gRPC does not read a host name as another scheme (`unix`, `xds`).
    this.#client = new Client(`dns:${address}`, credentials, { ...CLIENT_OPTIONS, ...options })
    this.#onMalformed = onMalformed
  }

  open(handlers: StreamHandlers): BatchStream {
    if (this.#isClosed) {
      queueMicrotask(() => handlers.onClose(CLOSED))
      return { send: () => undefined, close: () => undefined }
    }
    const { path, requestSerialize, responseDeserialize } = nodeService.exchange
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const stream = new ExchangeStream(call, {
      onAnswers: handlers.onAnswers,
      onUnusable: (key) =>
        this.#onMalformed(
          `the record of '${key}' has numbers above those that a node takes, or a state without its checksum`,
        ),
      onClose: (reason, isMalformed) => {
        this.#streams.delete(stream)
        if (isMalformed) this.#onMalformed(reason)
        handlers.onClose(reason, isMalformed)
      },
    })
    this.#streams.add(stream)
    return stream
  }

  describe(timeoutMs: number, isPatient = false): Promise<Description> {
    return this.#ask(nodeService.describe, {}, timeoutMs, 'describe itself', isPatient)
  }

  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer> {
    const responseDeserialize = (bytes: Buffer) => {
      const answer = nodeService.digest.responseDeserialize(bytes)
      checkDigestAnswer(answer, request)
      return answer
    }
    return this.#ask({ ...nodeService.digest, responseDeserialize }, request, timeoutMs, 'tell its digests')
  }

  changes(request: ChangesRequest, timeoutMs: number): Promise<ChangesAnswer> {
    return this.#ask(nodeService.changes, request, timeoutMs, 'tell its changes')
  }

  #ask<Q, A>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Q, A>,
    request: Q,
    timeoutMs: number,
    what: string,
    isPatient = false,
  ): Promise<A> {
    const options = { deadline: Date.now() + timeoutMs }
    const metadata = new Metadata({ waitForReady: isPatient })
    let otherVersion: WireVersionError | undefined
    const read = (bytes: Buffer): A => {
      try {
        return this.#read(() => responseDeserialize(bytes))
      } catch (error) {
        if (error instanceof WireVersionError) otherVersion = error
        throw error
      }
    }
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new Error(`${this.#address} did not ${what}: ${CLOSED}`))
      const onAnswer = (cause: ServiceError | null, answer: A | undefined) => {
        this.#calls.delete(call)
        if (answer !== undefined) resolve(answer)
        else if (otherVersion !== undefined) reject(otherVersion)
        else if (cause !== null && isAboutCertificate(cause))
          reject(new CertificateError(this.#address, cause))
        else reject(new Error(`${this.#address} did not ${what}: ${cause?.details}`, { cause }))
      }
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        read,
        request,
        metadata,
        options,
        onAnswer,
      )
      this.#calls.add(call)
    })
  }

  /** Reads what a node has sent. If it is malformed, it is reported, and gRPC fails the call. */
  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof WireError) this.#onMalformed(error.message)
      throw error
    }
  }

  async *scan(range: ScanRange, signal?: AbortSignal): AsyncGenerator<readonly HeldEntry[]> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw new Error(`the scan of ${this.#address} ended early: ${CLOSED}`)
    const { path, requestSerialize, responseDeserialize } = nodeService.scan
    const check = new ScanCheck(range)
    const read = (bytes: Buffer) =>
      this.#read(() => {
        const page = responseDeserialize(bytes)
        check.page(page.entries)
        return page
      })
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, read, range)
    // The cancellation below causes an error event, which needs a listener.
    call.on('error', () => undefined)
    const cancel = () => call.cancel()
    this.#calls.add(call)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      for await (const { entries } of call) yield entries
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`the scan of ${this.#address} ended early: ${reason}`, { cause })
    } finally {
      this.#calls.delete(call)
      signal?.removeEventListener('abort', cancel)
      // Needed if the consumer stops early. After the last page it changes nothing.
      cancel()
    }
  }

  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams) stream.close()
    // Without this, a node that does not answer would keep a stopped process alive until the deadline.
    for (const call of this.#calls) call.cancel()
    this.#client.close()
  }
}

class ExchangeStream implements BatchStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>
  readonly #handlers: StreamHandlers & Readonly<{ onUnusable: (key: string) => void }>
  /** The few batches without an answer, oldest first. Their requests complete their answers. */
  #inFlight: RequestBatch[] = []
  #isClosed = false

  /** `onUnusable` is called with the key of an answer that cannot be used. */
  constructor(
    call: ClientDuplexStream<Buffer, Buffer>,
    handlers: StreamHandlers & Readonly<{ onUnusable: (key: string) => void }>,
  ) {
    this.#call = call
    this.#handlers = handlers
    call.on('data', (bytes: Buffer) => this.#receive(bytes))
    // An error comes before the end that it causes, and also after a cancellation.
    call.on('error', (error: ServiceError) => this.#closed(error.details || error.message))
    call.on('end', () => this.#closed('the node ended the stream'))
  }

  send(batch: RequestBatch): void {
    if (this.#isClosed) return
    this.#inFlight.push(batch)
    this.#call.write(encodeRequestBatch(batch))
  }

  close(): void {
    this.#call.cancel()
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return
    let batch: ReceivedAnswers
    try {
      batch = decodeAnswerBatch(bytes, this.#inFlight[0])
    } catch (error) {
      // After a malformed message, the rest of the stream cannot be trusted.
      this.#closed(error instanceof Error ? error.message : String(error), true)
      this.#call.cancel()
      return
    }
    const asked = this.#inFlight.shift()!
    const unusable = batch.answers.indexOf(undefined)
    if (unusable !== -1) this.#handlers.onUnusable(answeredRequests(asked)[unusable]!.key)
    this.#handlers.onAnswers(batch)
  }

  #closed(reason: string, isMalformed = false): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inFlight = []
    this.#handlers.onClose(reason, isMalformed)
  }
}

/** The requests of a batch that get an answer. */
function answeredRequests({ requests }: RequestBatch): readonly KeyedRequest[] {
  return requests.filter(({ request }) => request.kind !== 'mark')
}

function ignore(): void {}
