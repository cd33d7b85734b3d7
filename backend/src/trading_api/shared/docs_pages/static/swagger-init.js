// Shows the document that the page names. A file of its own, so that the page needs no inline script.
"use strict";

window.addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("swagger-ui");
  window.ui = SwaggerUIBundle({
    url: root.dataset.url,
    domNode: root,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    // The default asks a server elsewhere whether the document is valid.
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
