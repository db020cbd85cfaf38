// Follows an action: asks for the page again and puts its new part in the place of the old one, until it is over.
"use strict";
(() => {
    const wait = 1500;

    async function look() {
        const shown = document.getElementById("progress");
        try {
            const answer = await fetch(window.location.href, { credentials: "same-origin" });
            if (answer.ok) {
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                const fresh = page.getElementById("progress");
                if (fresh && fresh.innerHTML !== shown.innerHTML) {
                    shown.replaceWith(fresh);
                }
                if (fresh && fresh.hasAttribute("data-over")) {
                    return;
                }
            }
        } catch {
            // The server may be starting anew: the next look tells.
        }
        window.setTimeout(look, wait);
    }

    window.setTimeout(look, wait);
})();
