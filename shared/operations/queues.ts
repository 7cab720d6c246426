import { type Notice, notice } from '../contract/notice.ts';
import type { QueueOf } from '../contract/ports.ts';
import { queueNames } from '../contract/queue-names.ts';
import { type RotationRequest, rotationRequest } from '../engine/policy/request.ts';
import { type RetirementRequest, retirementRequest } from '../engine/retirement/request.ts';

/** Requests to rotate. */
export const rotationsQueue: QueueOf<RotationRequest> = { name: queueNames.rotations, schema: rotationRequest };

/** Old credentials to retire, hidden until their overlap is over. */
export const retirementsQueue: QueueOf<RetirementRequest> = { name: queueNames.retirements, schema: retirementRequest };

/** What consumers and people are to be told. */
export const notificationsQueue: QueueOf<Notice> = { name: queueNames.notifications, schema: notice };

/** Longest delay of a storage queue. What must wait longer is found by the sweep. */
export const longestDelayMs = 7 * 24 * 60 * 60 * 1000;
