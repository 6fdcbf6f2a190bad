import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { answerClientError, answerConnect } from './client-error.ts'

/** The error that Node reports on a socket whose client has reset the connection. */
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

function aSocket(): Socket {
  return new PassThrough() as unknown as Socket
}

test('a client that resets a connection that asked for a tunnel ends the connection, and nothing else', () => {
  const socket = aSocket()
  assert.equal(answerConnect(socket, 'r1'), 501)
  // Without a listener this would be thrown here, and end the process.
  socket.emit('error', RESET)
  assert.ok(socket.destroyed)
})

test('a client that has left gets no answer', () => {
  const gone = aSocket()
  assert.equal(answerClientError(RESET, gone, 'r1'), undefined)
  assert.ok(gone.destroyed)
  const ended = aSocket()
  ended.end()
  assert.equal(answerClientError(new Error('a parser error'), ended, 'r1'), undefined)
  assert.ok(ended.destroyed)
})

test('an answer on a bare connection ends it', async () => {
  const socket = aSocket()
  assert.equal(
    answerClientError(Object.assign(new Error(), { code: 'HPE_HEADER_OVERFLOW' }), socket, 'r1'),
    431,
  )
  assert.ok(socket.writableEnded)
  const text = Buffer.concat(await socket.toArray()).toString()
  assert.match(text, /^HTTP\/1\.1 431 /)
  assert.match(text, /\r\nconnection: close\r\n/)
})
