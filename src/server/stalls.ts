/** Clients that stop sending or reading without hanging up. What they hold (a platform's connection, a turn) is given back. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PolyadError } from '../core/errors/index.ts';
import { answerUnparsable } from './errors.ts';

/** Longest silence of a client in the middle of its request's body, in ms. */
export const SENDER_SILENCE_MS = 60_000;

/**
 * Longest time for which a client takes nothing of a platform's answer, in ms. Longer than the platform itself may be
 * silent, so that its silence is never laid to the client.
 */
export const READER_SILENCE_MS = 90_000;

/** Ends a request whose body stops coming. Must be called before anything is read of it. */
export function watchSender(request: FastifyRequest, reply: FastifyReply, silenceMs = SENDER_SILENCE_MS): void {
  const { raw } = request;
  const { headers, socket } = raw;
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
  socket.setTimeout(silenceMs);
  raw.once('end', () => {
    // From the answer on the time is that of its reader, or of a connection which nobody uses.
    if (!reply.raw.headersSent) socket.setTimeout(0);
  });
  const onSilence = (): void => {
    if (socket.destroyed || socket.writableEnded) return;
    // What has come waits to be taken: the delay is not the client's. Whoever does not take it has a time-out of its own.
    if (raw.complete || raw.readableLength > 0) {
      socket.setTimeout(silenceMs);
      return;
    }
    // An answer that waits behind another on the same connection has no socket yet.
    if (!reply.raw.headersSent && reply.raw.socket === socket) {
      request.state.error ??= new PolyadError('input_invalid', {
        message: 'The body was not sent completely in time.',
      });
      answerUnparsable(Object.assign(new Error('silent'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    }
    socket.destroySoon();
  };
  // Node asks the request while its body is not all there, and the answer always; it destroys the socket if nobody listens.
  raw.on('timeout', onSilence);
  reply.raw.on('timeout', onSilence);
}

/** Cuts a streamed answer off whose client takes nothing of it any more. */
export function watchReader(reply: FastifyReply, silenceMs = READER_SILENCE_MS): void {
  // Node sets its own time when the answer is over.
  reply.raw.setTimeout(silenceMs, () => reply.raw.destroy());
}
