/** What is said to screen readers. The regions stand there, empty, before anything is put into them. */
import type { Announcement } from '../announce';

export interface LiveRegionsProps {
  readonly announcement: Announcement | null;
  /** Counts announcements, so that the same words twice are said twice. */
  readonly announced: number;
}

export function LiveRegions({ announcement, announced }: LiveRegionsProps) {
  const text = announcement ? <p key={announced}>{announcement.text}</p> : null;
  return (
    <>
      <div class="vk-hidden" aria-live="polite" aria-atomic="true">
        {announcement?.urgent === false && text}
      </div>
      <div class="vk-hidden" aria-live="assertive" aria-atomic="true">
        {announcement?.urgent === true && text}
      </div>
    </>
  );
}
