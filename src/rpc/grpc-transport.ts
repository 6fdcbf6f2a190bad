import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials as grpcCredentials,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { decodeAnswerBatch, encodeRequestBatch } from './batch-codec.ts'
import { CLIENT_OPTIONS } from './channel-options.ts'
import type {
  Description,
  DigestAnswer,
  DigestRequest,
  KeyedRequest,
  RequestBatch,
  ScanEntry,
  ScanRange,
} from './messages.ts'
import { nodeService } from './service.ts'
import type { BatchStream, NodeTransport, StreamHandlers } from './transport.ts'

/**
 * Reaches a node over gRPC. A `Connect`; `credentials` are insecure unless the caller brings its own.
 *
 * One HTTP/2 connection carries everything to the node. It is made when it is first needed, and again after a
 * loss, within about a second of the node's return.
 */
export function connectGrpc(
  address: string,
  credentials: ChannelCredentials = grpcCredentials.createInsecure(),
): NodeTransport {
  return new GrpcTransport(address, credentials)
}

class GrpcTransport implements NodeTransport {
  readonly #address: string
  readonly #client: Client
  readonly #streams = new Set<BatchStream>()
  #isClosed = false

  constructor(address: string, credentials: ChannelCredentials) {
    this.#address = address
    this.#client = new Client(address, credentials, CLIENT_OPTIONS)
  }

  open(handlers: StreamHandlers): BatchStream {
    if (this.#isClosed) {
      queueMicrotask(() => handlers.onClose('the transport is closed'))
      return { send: () => undefined, close: () => undefined }
    }
    const { path, requestSerialize, responseDeserialize } = nodeService.exchange
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const stream = new ExchangeStream(call, {
      onAnswers: handlers.onAnswers,
      onClose: (reason) => {
        this.#streams.delete(stream)
        handlers.onClose(reason)
      },
    })
    this.#streams.add(stream)
    return stream
  }

  describe(timeoutMs: number): Promise<Description> {
    return this.#ask(nodeService.describe, {}, timeoutMs, 'describe itself')
  }

  digest(request: DigestRequest, timeoutMs: number): Promise<DigestAnswer> {
    return this.#ask(nodeService.digest, request, timeoutMs, 'tell its digests')
  }

  #ask<Q, A>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Q, A>,
    request: Q,
    timeoutMs: number,
    what: string,
  ): Promise<A> {
    const options = { deadline: Date.now() + timeoutMs }
    return new Promise((resolve, reject) => {
      const onAnswer = (cause: ServiceError | null, answer: A | undefined) => {
        if (answer !== undefined) resolve(answer)
        else reject(new Error(`${this.#address} did not ${what}: ${cause?.details}`, { cause }))
      }
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, onAnswer)
    })
  }

  async *scan(range: ScanRange, signal?: AbortSignal): AsyncGenerator<readonly ScanEntry[]> {
    signal?.throwIfAborted()
    const { path, requestSerialize, responseDeserialize } = nodeService.scan
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, range)
    // Cancelling, below, reports itself as an error, to nobody by then.
    call.on('error', () => undefined)
    const cancel = () => call.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      for await (const { entries } of call) yield entries
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`the scan of ${this.#address} ended early: ${reason}`, { cause })
    } finally {
      signal?.removeEventListener('abort', cancel)
      // For a consumer that stops early; after the last page it changes nothing.
      cancel()
    }
  }

  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams) stream.close()
    this.#client.close()
  }
}

class ExchangeStream implements BatchStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>
  readonly #handlers: StreamHandlers
  /** The batches that have no answer yet, oldest first: a handful. Their requests complete their answers. */
  #inFlight: RequestBatch[] = []
  #isClosed = false

  constructor(call: ClientDuplexStream<Buffer, Buffer>, handlers: StreamHandlers) {
    this.#call = call
    this.#handlers = handlers
    call.on('data', (bytes: Buffer) => this.#receive(bytes))
    // An error comes before the end that it causes, and also after a cancellation.
    call.on('error', (error: ServiceError) => this.#closed(error.details ?? error.message))
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
    let batch: ReturnType<typeof decodeAnswerBatch>
    try {
      batch = decodeAnswerBatch(bytes, (batchId) => this.#requestsOf(batchId))
    } catch (error) {
      // What a stream says after a message that makes no sense cannot be trusted.
      this.#closed(error instanceof Error ? error.message : String(error))
      this.#call.cancel()
      return
    }
    this.#inFlight = this.#inFlight.filter(({ batchId }) => batchId !== batch.batchId)
    this.#handlers.onAnswers(batch)
  }

  #requestsOf(batchId: number): readonly KeyedRequest[] | undefined {
    return this.#inFlight.find((batch) => batch.batchId === batchId)?.requests
  }

  #closed(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inFlight = []
    this.#handlers.onClose(reason)
  }
}
