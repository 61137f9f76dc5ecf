/** Answers of writes whose routes send by themselves. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteAnswer } from '../../core/idempotency/writes.ts';
import { answerWrite } from './ads.ts';

/** Sends what came of a write, or what the first request under its key was answered. */
export function sendWrite(request: FastifyRequest, reply: FastifyReply, answer: WriteAnswer): FastifyReply {
  const body = answerWrite(request, reply, answer);
  if (body === reply) return reply;
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** What the audit log is told of the object in an answer. */
export function objectIn({ body }: WriteAnswer): { objectId?: string } {
  const { id } = body as { id?: unknown };
  return typeof id === 'string' ? { objectId: id } : {};
}
